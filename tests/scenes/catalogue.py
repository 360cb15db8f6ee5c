"""Every page, in every state of it that a person can see."""

from tests.scenes import cancel_dialog, entrance, run_pages, trigger_dialog, work_orders
from tests.scenes.scene import Scene

SCENES: tuple[Scene, ...] = (
    *entrance.gallery.scenes,
    *work_orders.gallery.scenes,
    *run_pages.gallery.scenes,
    *trigger_dialog.gallery.scenes,
    *cancel_dialog.gallery.scenes,
)
WAYS = [(scene, scripts) for scene in SCENES for scripts in scene.scripts.ways]
"""Every scene with each kind of browser that it exists in."""
