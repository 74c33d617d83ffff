"""The app package that is uploaded to Teams: built from its template and the settings, and checked."""
