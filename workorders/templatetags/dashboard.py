"""Registers functions of ``workorders.web.formatting`` as template tags and filters."""

from django import template
from django.contrib.humanize.templatetags.humanize import ordinal

from workorders.web import formatting

register = template.Library()

register.simple_tag(formatting.timestamp)
register.simple_tag(formatting.elapsed)
register.filter(formatting.seconds)
register.simple_tag(formatting.icon)
register.simple_tag(formatting.status)
register.simple_tag(formatting.run_row)
register.filter(formatting.iteration_outcome)
register.filter(ordinal)
register.simple_tag(formatting.error_message)
register.simple_tag(formatting.error_details)
register.filter(formatting.without_blank_lines)
register.filter("legible", formatting.legible_content)
register.filter(formatting.plain)
register.filter(formatting.log_text)
