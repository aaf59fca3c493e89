"""What a case of the corpus cannot say of the Databuddy dialect."""
