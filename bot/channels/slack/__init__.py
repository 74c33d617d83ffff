"""Slack as a channel: `listeners.SlackEdge` is its way in, `post.SlackChannel` its way out."""
