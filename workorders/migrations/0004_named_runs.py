from django.conf import settings
from django.db import migrations, models


def correct_false_starts(apps, schema_editor):
    """Attempts that were answered with a run that was there before, or with another attempt's.

    What became of those is not known: the runs that they were said to have started are not
    theirs.
    """
    attempts = apps.get_model("workorders", "TriggerAttempt").objects
    named = attempts.filter(found=False).exclude(run_id="").order_by("created_at", "key")
    taken = set()
    wrong = []
    rows = named.values_list("pk", "work_order_id", "run_id", "known_run_ids")
    for key, work_order_id, run_id, known_run_ids in rows.iterator():
        if run_id in (known_run_ids or ()) or (work_order_id, run_id) in taken:
            wrong.append(key)
        taken.add((work_order_id, run_id))
    for key in wrong:
        attempts.filter(pk=key).update(
            state="unknown",
            outcome="OTHER_RUN_NAMED",
            run_id="",
            run_number=None,
            queue_position=None,
            appeared=False,
        )


class Migration(migrations.Migration):

    dependencies = [
        ('workorders', '0003_found_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='triggerattempt',
            name='next_run_number',
            field=models.PositiveIntegerField(help_text='The number of a run that is started next, just before it was sent; null: not certain.', null=True),
        ),
        migrations.RunPython(correct_false_starts, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='triggerattempt',
            constraint=models.UniqueConstraint(condition=models.Q(('found', False), models.Q(('run_id', ''), _negated=True)), fields=('work_order_id', 'run_id'), name='one_attempt_a_named_run'),
        ),
    ]
