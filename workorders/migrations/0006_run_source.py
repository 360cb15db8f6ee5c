from django.conf import settings
from django.db import migrations, models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce

RENAMED_STATES = {
    "ready": "pending",
    "sending": "sent",
    "unsettled": "unconfirmed",
    "unknown": "unresolved",
}


def convert(apps, schema_editor):
    """Rename states, and turn ``found`` and ``appeared`` into a source and a time.

    When the API had shown a run was not written down before. The time at which the attempt was
    settled is the nearest that is known.

    One UPDATE: PostgreSQL alters no table whose rows the same transaction has updated twice.
    """
    apps.get_model("workorders", "TriggerAttempt").objects.update(
        state=_renamed(RENAMED_STATES),
        run_source=Case(
            When(run_id="", then=Value("")),
            When(found=True, then=Value("reconciled")),
            default=Value("response"),
        ),
        run_confirmed_at=Case(
            When(appeared=True, then=Coalesce("settled_at", "sent_at", "created_at"))
        ),
    )


def restore(apps, schema_editor):
    apps.get_model("workorders", "TriggerAttempt").objects.update(
        state=_renamed({after: before for before, after in RENAMED_STATES.items()}),
        found=Q(run_source="reconciled"),
        appeared=Q(run_confirmed_at__isnull=False),
    )


def _renamed(names):
    whens = [When(state=before, then=Value(after)) for before, after in names.items()]
    return Case(*whens, default=F("state"))


class Migration(migrations.Migration):

    dependencies = [
        ('workorders', '0005_accounts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='triggerattempt', name='one_open_attempt'),
        migrations.RemoveConstraint(model_name='triggerattempt', name='one_attempt_a_found_run'),
        migrations.RemoveConstraint(model_name='triggerattempt', name='one_attempt_a_named_run'),
        migrations.AddField(
            model_name='triggerattempt',
            name='run_source',
            field=models.CharField(blank=True, choices=[('response', 'a response of the API names the run'), ('reconciled', "a search of the work order's runs has found the run")], default='', help_text='What has linked run_id to the attempt; blank: no run is linked.', max_length=10),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='triggerattempt',
            name='run_confirmed_at',
            field=models.DateTimeField(help_text='When the API had shown the run; null: not yet.', null=True),
        ),
        migrations.AlterField(
            model_name='triggerattempt',
            name='state',
            field=models.CharField(choices=[('pending', 'not sent, or refused: no run was started'), ('sent', 'a process waits for the answer'), ('unconfirmed', 'the answer was lost'), ('started', 'a run exists'), ('unresolved', 'it could not be found out')], default='pending', max_length=11),
        ),
        migrations.RunPython(convert, restore),
        migrations.RemoveField(model_name='triggerattempt', name='found'),
        migrations.RemoveField(model_name='triggerattempt', name='appeared'),
        migrations.AddConstraint(
            model_name='triggerattempt',
            constraint=models.UniqueConstraint(condition=Q(('state__in', ('sent', 'unconfirmed'))), fields=('work_order_id',), name='one_open_attempt'),
        ),
        migrations.AddConstraint(
            model_name='triggerattempt',
            constraint=models.UniqueConstraint(condition=Q(('run_source', 'reconciled')), fields=('work_order_id', 'run_id'), name='one_attempt_a_found_run'),
        ),
        migrations.AddConstraint(
            model_name='triggerattempt',
            constraint=models.UniqueConstraint(condition=Q(('run_source', 'response')), fields=('work_order_id', 'run_id'), name='one_attempt_a_named_run'),
        ),
        migrations.AddConstraint(
            model_name='triggerattempt',
            constraint=models.CheckConstraint(condition=Q(Q(('run_id', ''), ('run_source', '')), Q(Q(('run_id', ''), _negated=True), Q(('run_source', ''), _negated=True)), _connector='OR'), name='run_has_source'),
        ),
    ]
