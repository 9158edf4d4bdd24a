"""Annual plans, tasks and who does them, risks, calendars and reminders."""
