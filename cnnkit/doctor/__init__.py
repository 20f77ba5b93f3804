"""What is wrong here, and how to mend it."""

from cnnkit.doctor._machine import Diagnosis, Finding, ProviderCheck, diagnose

__all__ = ["Diagnosis", "Finding", "ProviderCheck", "diagnose"]
