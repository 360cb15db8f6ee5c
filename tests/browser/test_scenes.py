"""No machine finds anything wrong with a page, in any state of it.

Each scene is one test: reaching it costs more than looking at it on every screen. Without scripts
only those scenes are looked at that show something else there (``Scripts``).
"""

import pytest
from _pytest.mark import ParameterSet

from tests.scenes.catalogue import SCENES
from tests.scenes.environment import Stage
from tests.scenes.inspection import problems
from tests.scenes.scene import Dashboard, Scene


def ways(*, usual: bool) -> list[ParameterSet]:
    """Each scene with scripts, and without where something else is shown there."""
    return [
        pytest.param(scene, scripts, id=scene.slug if scripts else f"{scene.slug}-without-scripts")
        for scene in SCENES
        for scripts in scene.scripts.ways
        if (scene.dashboard is Dashboard.USUAL) == usual
    ]


@pytest.mark.parametrize(("scene", "scripts"), ways(usual=True))
def test_nothing_is_wrong(stage: Stage, scene: Scene, *, scripts: bool) -> None:
    with stage.show(scene, scripts=scripts) as visit:
        found = problems(visit)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("scene", "scripts"), ways(usual=False))
def test_nothing_is_wrong_where_it_is_set_up_in_another_way(
    stage: Stage, scene: Scene, *, scripts: bool
) -> None:
    """A test of its own, so that one process alone starts these dashboards."""
    test_nothing_is_wrong(stage, scene, scripts=scripts)
