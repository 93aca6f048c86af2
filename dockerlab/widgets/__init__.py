"""What a learner would rather see than read: one file a widget."""
