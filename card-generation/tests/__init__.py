"""Tests of the card generation service."""
