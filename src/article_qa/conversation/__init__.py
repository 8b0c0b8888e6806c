"""A conversation: its history, and follow-up questions made to stand alone."""

from article_qa.conversation.followup import Conversation, standalone

__all__ = ["Conversation", "standalone"]
