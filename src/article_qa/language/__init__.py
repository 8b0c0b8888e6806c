"""What is known of English: names, people, numbers and dates."""
