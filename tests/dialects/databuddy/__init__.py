"""What a corpus case cannot say of the Databuddy dialect."""
