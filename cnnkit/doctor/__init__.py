"""What is wrong here, and how to mend it."""

from cnnkit.doctor._machine import Diagnosis, Finding, ProviderCheck, diagnose
from cnnkit.doctor._suspects import Suspects, Trial, try_suspects

__all__ = ["Diagnosis", "Finding", "ProviderCheck", "Suspects", "Trial", "diagnose", "try_suspects"]
