"""A conversation: its history, and follow-up questions made to stand alone."""

from article_qa.conversation.followup import standalone
from article_qa.conversation.history import Conversation

__all__ = ["Conversation", "standalone"]
