#!/bin/sh
# Creates the namespace, once the cluster says of itself that it serves. Safe to run at every start: a namespace that is
# there keeps its settings, also those that an operator has changed since.
# The address comes from TEMPORAL_ADDRESS; NAMESPACE and RETENTION say what to create; the
# server takes a retention of 1h or more, as `segue setup --retention` does.
set -eu

# A frontend that answers may still be waiting for the history service; give it two minutes, then say why not.
tries=60
until temporal operator cluster health; do
	tries=$((tries - 1))
	if [ "$tries" -le 0 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS does not serve" >&2
		exit 1
	fi
	sleep 2
done

if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
	echo "namespace $NAMESPACE is there"
	exit 0
fi
temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION" \
	--description "Segue: contact-center interactions and their deliveries"
