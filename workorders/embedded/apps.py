from django.apps import AppConfig
from django.core import checks


class EmbeddedConfig(AppConfig):
    name = "workorders.embedded"
    label = "embedded"
    verbose_name = "Embedded runs API"

    def ready(self) -> None:
        from workorders.embedded.profiles import check_profiles  # noqa: PLC0415 (apps load first)

        checks.register(check_profiles)
