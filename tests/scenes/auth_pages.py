"""Signing in, and pages that are no page of anything."""

from playwright.sync_api import expect

from tests.scenes.data import ID
from tests.scenes.scene import Dashboard, Gallery, Scripts, Visit, Who
from tests.scenes.seed import TRIED
from tests.support.runs_api import refusal

gallery = Gallery()


@gallery.scene("sign-in", "Sign in", who=Who.STRANGER, scripts=Scripts.BOTH)
def sign_in(visit: Visit) -> None:
    visit.go("/sign-in/")
    visit.sees("No password yet?")


@gallery.scene("sign-in-wrong", "Sign in, wrong password", who=Who.STRANGER)
def wrong_password(visit: Visit) -> None:
    visit.go("/sign-in/")
    visit.page.get_by_label("User name").fill("alice")
    visit.page.get_by_label("Password").fill("wrong")
    visit.press("Sign in")
    visit.sees("The user name and password do not match.")


@gallery.scene("sign-in-locked", "Sign in, too many passwords were tried", who=Who.STRANGER)
def locked(visit: Visit) -> None:
    wrong_password(visit)
    visit.page.get_by_label("Password").fill("wrong")
    visit.press("Sign in")
    visit.sees("Too many passwords were tried")


@gallery.scene("sign-in-session-ended", "Sign in, the session has ended", who=Who.STRANGER)
def session_ended(visit: Visit) -> None:
    visit.go(f"/work-orders/{ID}/trigger/?session=ended&max_iterations=7")
    visit.sees("Your session has ended. Nothing was started.")


@gallery.scene("sign-in-link-used", "Sign in, the link was used before", who=Who.STRANGER)
def link_used(visit: Visit) -> None:
    visit.go("/sign-in/used.link/")
    visit.sees("This sign-in link was used before or is too old.")


@gallery.scene(
    "sign-in-provider",
    "Sign in, by single sign-on too",
    who=Who.STRANGER,
    dashboard=Dashboard.DEVELOPMENT,
)
def by_provider(visit: Visit) -> None:
    visit.go("/sign-in/")
    visit.sees("Sign in with login.example.com")


@gallery.scene("sign-in-link", "Sign in by a link", who=Who.STRANGER)
def link(visit: Visit) -> None:
    visit.go("/sign-in/alice-link/")
    visit.sees("The link works once.")


@gallery.scene("sign-in-link-other", "Sign in by a link that is for somebody else")
def link_of_another(visit: Visit) -> None:
    visit.go("/sign-in/alice-link/")
    visit.sees("You are signed in as operator.")


@gallery.scene("account", "Your account and where you are signed in", scripts=Scripts.BOTH)
def account(visit: Visit) -> None:
    visit.go("/account/")
    visit.sees("Safari on iPhone")


@gallery.scene("account-viewer", "Your account, of a viewer", who=Who.VIEWER)
def account_of_a_viewer(visit: Visit) -> None:
    visit.go("/account/")
    visit.sees("Viewer: may look at everything")


@gallery.scene("not-allowed", "403, a viewer asks for the trigger dialog", who=Who.VIEWER)
def not_allowed(visit: Visit) -> None:
    visit.go(f"/work-orders/{ID}/trigger/")
    visit.sees("Your account may not do this.")


@gallery.scene("not-found", "404, no such address", scripts=Scripts.BOTH)
def not_found(visit: Visit) -> None:
    visit.go("/nowhere/")
    visit.sees("Nothing lives at this address.")


@gallery.scene("server-error", "500, the dashboard itself breaks")
def server_error(visit: Visit) -> None:
    visit.break_database()
    visit.go(f"/work-orders/{TRIED}/attempts/")
    visit.sees("Something broke on our side.")


@gallery.scene("form-expired", "CSRF failure")
def form_expired(visit: Visit) -> None:
    visit.go("/work-orders/")
    visit.page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value = 'old'")
    visit.press("Sign out")
    visit.sees("The form was too old or came from another site")


@gallery.scene("runs-api-well", "Runs API status, well")
def runs_api_well(visit: Visit) -> None:
    visit.go("/runs-api/")
    visit.sees("Answers, since")


@gallery.scene("runs-api-lost", "Runs API status, lost", scripts=Scripts.BOTH)
def runs_api_lost(visit: Visit) -> None:
    visit.api_leaves()
    visit.go("/work-orders/")
    visit.go("/runs-api/")
    visit.sees("Does not answer, since")


@gallery.scene("runs-api-key-refused", "Runs API status, key refused")
def key_refused(visit: Visit) -> None:
    refuse_key(visit)
    visit.go("/runs-api/")
    visit.sees("Rejects the key, since")


@gallery.scene("banner-lost", "Banner, the runs API does not answer", scripts=Scripts.BOTH)
def banner_lost(visit: Visit) -> None:
    visit.api_leaves()
    visit.go("/work-orders/")
    visit.go(f"/work-orders/{TRIED}/attempts/")
    visit.sees("The runs API has not answered since")


@gallery.scene("banner-key-refused", "Banner, the runs API refuses the key")
def banner_key_refused(visit: Visit) -> None:
    refuse_key(visit)
    visit.go("/nowhere/")
    visit.sees("The runs API has not accepted this dashboard's key since")


@gallery.scene("not-updating", "Not updating", scripts=Scripts.ONLY_WITH)
def not_updating(visit: Visit) -> None:
    visit.go("/work-orders/")
    visit.page.route("**/*version=*", lambda route: route.fulfill(status=503))
    visit.page.evaluate("htmx.trigger('#live', 'refresh')")
    expect(visit.page.locator("#stale")).to_be_visible()


@gallery.scene("styleguide", "Style guide", dashboard=Dashboard.DEVELOPMENT)
def styleguide(visit: Visit) -> None:
    visit.go("/styleguide/")
    visit.sees("Something that opens")


@gallery.scene("preferences", "Preferences and shortcuts", scripts=Scripts.DIALOG)
def preferences(visit: Visit) -> None:
    visit.go("/work-orders/")
    visit.press("Preferences and shortcuts")
    visit.sees("Single keys are shortcuts")


@gallery.scene("preferences-stranger", "Preferences, nobody has signed in", who=Who.STRANGER)
def preferences_of_a_stranger(visit: Visit) -> None:
    visit.go("/preferences/")
    visit.sees("Single keys are shortcuts")


@gallery.scene(
    "preferences-saved", "Toast, preferences saved: dark on every system", scripts=Scripts.BOTH
)
def preferences_saved(visit: Visit) -> None:
    preferences(visit)
    visit.page.get_by_label("Dark").check()
    visit.press("Save")
    visit.sees("Preferences saved for this browser")


def refuse_key(visit: Visit) -> None:
    """The list is what the dashboard asks for by itself, so it finds out for good."""
    visit.answers("/work-orders", refusal(401, "UNAUTHORIZED", "Invalid API key"))
    visit.go("/work-orders/")
    visit.sees("The runs API does not accept this dashboard's key.")
