"""No machine finds anything wrong with a page, in any state of it, where no script runs."""

import pytest

from tests.scenes.catalogue import SCENES
from tests.scenes.environment import Stage
from tests.scenes.inspection import problems
from tests.scenes.scene import Scene
from tests.scenes.sweeps import problems_at_any_size


@pytest.mark.parametrize(
    "scene", [pytest.param(scene, id=scene.slug) for scene in SCENES if False in scene.scripts.ways]
)
def test_nothing_is_wrong(stage: Stage, scene: Scene) -> None:
    with stage.show(scene, scripts=False) as visit:
        found = problems(visit)
        if scene.is_dialog:  # a page of its own here; any other is as it is with scripts
            found += problems_at_any_size(visit.page)
    assert not found, "\n".join(found)
