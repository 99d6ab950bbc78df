"""What differs in one environment: everything in ``overlays/<env>/generated``."""
