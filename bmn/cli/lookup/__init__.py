"""From a person's few letters to the job, brand or picture that is meant."""
