"""No machine finds anything wrong with a page, in any state of it.

Each scene is one test: reaching it costs more than looking at it on every screen. Without scripts
only those scenes are looked at that show something else there (``Scripts``).
"""

import pytest

from tests.scenes.catalogue import SCENES
from tests.scenes.environment import Stage
from tests.scenes.inspection import problems
from tests.scenes.scene import Scene

WAYS = [
    pytest.param(scene, scripts, id=scene.slug if scripts else f"{scene.slug}-without-scripts")
    for scene in SCENES
    for scripts in scene.scripts.ways
]


@pytest.mark.parametrize(("scene", "scripts"), WAYS)
def test_nothing_is_wrong(stage: Stage, scene: Scene, *, scripts: bool) -> None:
    with stage.show(scene, scripts=scripts) as visit:
        found = problems(visit)
    assert not found, "\n".join(found)
