"""Hydra's own callbacks: what happens around a job, whatever the job did."""
