"""Exams: probes, films, previews, costs and scores of a life."""
