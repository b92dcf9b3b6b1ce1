"""What everything else stands on: errors, atomic files, processes, progress, devices, the repairs of mmseg."""
