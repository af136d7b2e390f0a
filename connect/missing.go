package connect

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// Missing returns the names of Segue's search attributes that a namespace lacks, in the order of the table. A namespace
// that does not exist, and an attribute of the wrong type, are errors that say what to do.
func Missing(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	lacking, err := lacking(ctx, c.OperatorService(), namespace)
	var noNamespace *serviceerror.NamespaceNotFound
	if errors.As(err, &noNamespace) {
		return nil, fmt.Errorf("%w (`segue setup` registers it)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("look for the search attributes of namespace %s: %w", namespace, err)
	}
	var names []string
	for _, attribute := range lacking {
		names = append(names, attribute.Name)
	}
	return names, nil
}

// WrongTypeError says that a namespace has a search attribute of Segue's, but of another type.
type WrongTypeError struct {
	Namespace string
	Has, Want SearchAttribute
}

func (e *WrongTypeError) Error() string {
	return fmt.Sprintf("search attribute %s of namespace %s is %s, and Segue needs %s: remove it there, or use another namespace",
		e.Want.Name, e.Namespace, e.Has.Type, e.Want.Type)
}

func lacking(ctx context.Context, operator operatorservice.OperatorServiceClient, namespace string) ([]SearchAttribute, error) {
	present, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, err
	}
	var lacking []SearchAttribute
	for _, want := range SearchAttributes {
		has, ok := present.GetCustomAttributes()[want.Name]
		switch {
		case !ok:
			lacking = append(lacking, want)
		case has != want.Type:
			return nil, &WrongTypeError{Namespace: namespace, Has: SearchAttribute{want.Name, has}, Want: want}
		}
	}
	return lacking, nil
}

// without returns the names of the table that are not among those given.
func without(names []string) []string {
	given := map[string]bool{}
	for _, name := range names {
		given[name] = true
	}
	var rest []string
	for _, attribute := range SearchAttributes {
		if !given[attribute.Name] {
			rest = append(rest, attribute.Name)
		}
	}
	return rest
}

func described(attributes []SearchAttribute) []string {
	texts := make([]string, len(attributes))
	for i, attribute := range attributes {
		texts[i] = attribute.Name + "=" + attribute.Type.String()
	}
	return texts
}
