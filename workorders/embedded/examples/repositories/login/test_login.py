import unittest

from login import User, digest, session_is_valid, sign_in


def some_users() -> dict[str, User]:
    ada = {"email": "ada@example.com", "salt": "s1", "digest": digest("secret", "s1")}
    return {"ada@example.com": {**ada, "failures": 0}}


class SignIn(unittest.TestCase):
    def test_email_in_any_case_and_with_blanks(self) -> None:
        self.assertIsNotNone(sign_in(some_users(), " Ada@Example.com ", "secret", 0))

    def test_unknown_email_is_refused(self) -> None:
        self.assertIsNone(sign_in(some_users(), "nobody@example.com", "secret", 0))

    def test_locked_after_too_many_failures(self) -> None:
        users = some_users()
        for _ in range(5):
            sign_in(users, "ada@example.com", "wrong", 0)
        self.assertIsNone(sign_in(users, "ada@example.com", "secret", 0))

    def test_session_ends_after_an_hour(self) -> None:
        session = {"email": "ada@example.com", "started": 0}
        self.assertTrue(session_is_valid(session, 3599))
        self.assertFalse(session_is_valid(session, 3601))


if __name__ == "__main__":
    unittest.main()
