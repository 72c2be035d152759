"""The Label Studio that labeler starts itself."""
