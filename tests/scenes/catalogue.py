"""Every page, in every state of it that a person can see."""

from tests.scenes import auth_pages, cancel_dialog, run_pages, toasts, trigger_dialog, work_orders
from tests.scenes.scene import Scene

SCENES: tuple[Scene, ...] = (
    *auth_pages.gallery.scenes,
    *work_orders.gallery.scenes,
    *run_pages.gallery.scenes,
    *trigger_dialog.gallery.scenes,
    *cancel_dialog.gallery.scenes,
    *toasts.gallery.scenes,
)
