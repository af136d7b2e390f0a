#!/bin/sh
# Creates the namespace NAMESPACE with the retention RETENTION (1h or more, as for `segue setup --retention`) on the
# cluster at TEMPORAL_ADDRESS, when the cluster is healthy. Safe to run at every start: an existing namespace keeps its
# settings, including those that an operator has changed.
set -eu

# A frontend that answers may still be waiting for the history service. Wait two minutes at most.
tries=60
until temporal operator cluster health; do
	tries=$((tries - 1))
	if [ "$tries" -le 0 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS is not healthy" >&2
		exit 1
	fi
	sleep 2
done

if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
	echo "namespace $NAMESPACE exists"
	exit 0
fi
temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION" \
	--description "Segue: contact-center interactions and their deliveries"
