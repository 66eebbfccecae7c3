"""Qt Widgets: shows what a flow says; decides nothing."""
