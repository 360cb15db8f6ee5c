"""What several pages share: responses, polling, path converters, preferences."""
