"""What carries out a docker command."""
