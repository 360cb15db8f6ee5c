import datetime as dt

import django.db.models.deletion
from django.db import migrations, models


def move_into_rows(apps, schema_editor):
    """One row for each entry of ``earlier``. The first versions wrote fewer values."""
    attempts = apps.get_model("workorders", "TriggerAttempt").objects.exclude(earlier=[])
    rows = apps.get_model("workorders", "EarlierSubmission").objects
    for key, earlier in attempts.values_list("key", "earlier").iterator():
        rows.bulk_create(rows.model(attempt_id=key, **_values_of(entry)) for entry in earlier)
    attempts.update(was_resent=True)


def _values_of(entry):
    sent_at = dt.datetime.fromisoformat(entry["sentAt"]) if entry.get("sentAt") else None
    seconds = entry.get("durationSeconds")
    is_settled = sent_at is not None and seconds is not None
    return {
        "sent_at": sent_at,
        "settled_at": sent_at + dt.timedelta(seconds=seconds) if is_settled else None,
        "outcome": entry.get("outcome", ""),
        "max_iterations": entry.get("maxIterations"),
        "profile_name": entry.get("profileName", ""),
        "request_id": entry.get("requestId", ""),
        "api_request_id": entry.get("apiRequestId", ""),
    }


def move_into_json(apps, schema_editor):
    attempts = apps.get_model("workorders", "TriggerAttempt").objects
    rows = apps.get_model("workorders", "EarlierSubmission").objects.order_by("pk")
    for key in rows.order_by().values_list("attempt", flat=True).distinct():
        earlier = [_entry_of(row) for row in rows.filter(attempt=key)]
        attempts.filter(key=key).update(earlier=earlier)


def _entry_of(row):
    is_settled = row.sent_at is not None and row.settled_at is not None
    return {
        "sentAt": row.sent_at.isoformat() if row.sent_at else None,
        "outcome": row.outcome,
        "maxIterations": row.max_iterations,
        "profileName": row.profile_name,
        "durationSeconds": (row.settled_at - row.sent_at).total_seconds() if is_settled else None,
        "requestId": row.request_id,
        "apiRequestId": row.api_request_id,
    }


class Migration(migrations.Migration):

    dependencies = [
        ('workorders', '0006_run_source'),
    ]

    operations = [
        migrations.CreateModel(
            name='EarlierSubmission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('max_iterations', models.PositiveSmallIntegerField(null=True)),
                ('profile_name', models.CharField(blank=True, max_length=255)),
                ('sent_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, help_text='started, queued, or the error code of the last answer; blank: none yet', max_length=64)),
                ('request_id', models.CharField(blank=True, help_text="The dashboard's own.", max_length=64)),
                ('api_request_id', models.CharField(blank=True, max_length=255)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='earlier_submissions', to='workorders.triggerattempt')),
            ],
            options={
                'ordering': ('pk',),
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='triggerattempt',
            name='was_resent',
            field=models.BooleanField(default=False, help_text='Whether there are earlier submissions; saves looking for them.'),
        ),
        migrations.RunPython(move_into_rows, move_into_json),
        migrations.RemoveField(model_name='triggerattempt', name='earlier'),
    ]
