"""Runs the migrations on the connection `kiosk.store.migrate` hands over. Imports nothing of ours, like every revision."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,  # the caller's BEGIN IMMEDIATE holds all revisions together
    transaction_per_migration=False,
)
context.run_migrations()
