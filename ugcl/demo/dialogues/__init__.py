"""The corpus of dialogues: the actors of the demo corpus talk in pairs."""
