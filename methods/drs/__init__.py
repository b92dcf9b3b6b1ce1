"""DRS: discriminative region suppression, and maps refined by a second network (Kim, Han, Kim, AAAI 2021)."""
