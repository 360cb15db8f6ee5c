from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("embedded", "0002_api_keys")]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="not_isolated",
            field=models.TextField(
                help_text="Why its commands are not isolated; empty: they are.", null=True
            ),
        ),
    ]
