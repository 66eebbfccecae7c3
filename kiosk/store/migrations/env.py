"""Runs the migrations on the connection `kiosk.store.migrate` hands over. Imports nothing of ours, like every revision."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])  # in a transaction that holds all revisions together
context.run_migrations()
