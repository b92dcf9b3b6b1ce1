"""Group-WSSS: a graph over photos with the same tags mines their class maps (Li, Zhou, Li, Zhou, Zhang, AAAI 2021)."""
