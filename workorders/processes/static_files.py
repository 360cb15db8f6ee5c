"""Static files are collected, hashed and compressed once per change."""

import hashlib

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed() -> None:
    """Run ``collectstatic`` unless its last run saw the same files.

    Hashing and compressing take longer than all other steps of a start together.
    """
    stamp = settings.STATIC_ROOT / ".collected"
    signature = _signature()
    if stamp.exists() and stamp.read_text() == signature:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(signature)


def _signature() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list(None), key=lambda found: found[0]):
            digest.update(f"{name} {storage.size(name)} {storage.get_modified_time(name)}".encode())
    return digest.hexdigest()
