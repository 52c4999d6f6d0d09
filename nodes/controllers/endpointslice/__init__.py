"""EndpointSlices: a Service's pods, a hundred to an object."""
