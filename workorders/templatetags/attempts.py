"""Registers functions of ``workorders.attempts.presentation`` as template tags and filters."""

from django import template

from workorders.attempts import presentation

register = template.Library()

register.simple_tag(presentation.run_origin)
register.filter(presentation.options_words)
register.simple_tag(presentation.attempt_options)
register.filter(presentation.outcome_words)
register.filter(presentation.appearance_words)
register.filter(presentation.took_words)
register.filter(presentation.earlier_words)
