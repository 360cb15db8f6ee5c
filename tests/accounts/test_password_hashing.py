"""The password hasher of the product's settings. All other tests use a quick hasher."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from workorders.accounts.password_hashing import MOST_HASHES, BackgroundPBKDF2PasswordHasher

SALT = "some-salt"
QUICK = 1000


def test_hash_of_djangos_own_hasher_is_accepted() -> None:
    hashed = PBKDF2PasswordHasher().encode("correct horse", SALT, QUICK)
    hasher = BackgroundPBKDF2PasswordHasher()
    assert hasher.encode("correct horse", SALT, QUICK) == hashed
    assert hasher.verify("correct horse", hashed)
    assert not hasher.verify("wrong", hashed)


def test_many_passwords_are_hashed_by_few_threads() -> None:
    names = set()

    class Observed(BackgroundPBKDF2PasswordHasher):
        @property
        def digest(self) -> object:
            names.add(threading.current_thread().name)
            return PBKDF2PasswordHasher.digest

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: Observed().encode("wrong", SALT, QUICK), range(64)))
    assert 1 <= len(names) <= MOST_HASHES
    assert all(name.startswith("hash") for name in names)
