"""The recommendation learner: state, candidates, features, ranker, memory."""
