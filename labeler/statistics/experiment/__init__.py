"""Blind beside assisted codings, a model beside a coder, one time beside another."""
