package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Missing returns the names of Segue's search attributes that a namespace lacks, in the order of the table. A namespace
// that does not exist, and an attribute of the wrong type, are errors that say what to do. It needs no more than the
// right to list workflows.
func Missing(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	lacking, err := lookIn(c, namespace).lacking(ctx)
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
	// Has is of an unspecified type where the server does not tell the type.
	Has, Want SearchAttribute
}

func (e *WrongTypeError) Error() string {
	has := "not"
	if e.Has.Type != enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		has = e.Has.Type.String() + ", and Segue needs"
	}
	return fmt.Sprintf("search attribute %s of namespace %s is %s %s: remove it there, or use another namespace",
		e.Want.Name, e.Namespace, has, e.Want.Type)
}

// lookout asks which search attributes a namespace has, by queries that name them: some clouds deny the operator service,
// which lists them.
type lookout struct {
	workflows workflowservice.WorkflowServiceClient
	operator  operatorservice.OperatorServiceClient
	namespace string
}

func lookIn(c client.Client, namespace string) lookout {
	return lookout{workflows: c.WorkflowService(), operator: c.OperatorService(), namespace: namespace}
}

// lacking returns the attributes of the table that the namespace lacks. One query tells that none is; only if it is
// refused, the attributes are asked for one by one.
func (l lookout) lacking(ctx context.Context) ([]SearchAttribute, error) {
	all := make([]string, len(SearchAttributes))
	for i, attribute := range SearchAttributes {
		all[i] = attribute.condition()
	}
	if fits, err := l.accepts(ctx, strings.Join(all, " AND ")); err != nil {
		return nil, err
	} else if fits {
		return nil, l.checkLists(ctx)
	}
	var lacking []SearchAttribute
	for _, attribute := range SearchAttributes {
		known, err := l.accepts(ctx, attribute.Name+" IS NULL")
		if err != nil {
			return nil, err
		}
		if !known {
			lacking = append(lacking, attribute)
			continue
		}
		if fits, err := l.accepts(ctx, attribute.condition()); err != nil {
			return nil, err
		} else if !fits {
			return nil, &WrongTypeError{Namespace: l.namespace, Has: SearchAttribute{attribute.Name, l.typeOf(ctx, attribute.Name)}, Want: attribute}
		}
	}
	return lacking, nil
}

// checkLists reports a Keyword where a list of them is needed: what a list accepts, a
// Keyword accepts, too.
func (l lookout) checkLists(ctx context.Context) error {
	for _, attribute := range SearchAttributes {
		if attribute.Type != list {
			continue
		}
		isKeyword, err := l.accepts(ctx, SearchAttribute{attribute.Name, keyword}.condition())
		if err != nil {
			return err
		}
		if isKeyword {
			return &WrongTypeError{Namespace: l.namespace, Has: SearchAttribute{attribute.Name, keyword}, Want: attribute}
		}
	}
	return nil
}

// condition is one that no attribute of another type can have; but see checkLists.
func (s SearchAttribute) condition() string {
	switch s.Type {
	case keyword:
		return s.Name + " STARTS_WITH 'segue'" // a Text has no beginning, nor has a list
	case list:
		return s.Name + " IN ('segue')" // a Text is no member
	}
	return s.Name + " = 0"
}

// accepts reports whether the namespace knows what a condition names. It counts among the runs of no workflow, so that
// the answer costs nothing.
func (l lookout) accepts(ctx context.Context, condition string) (bool, error) {
	_, err := l.workflows.CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: l.namespace, Query: "WorkflowId = 'segue' AND " + condition,
	})
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) {
		return false, nil
	}
	return err == nil, err
}

// typeOf asks the operator service, where that answers, for an error message.
func (l lookout) typeOf(ctx context.Context, name string) enumspb.IndexedValueType {
	present, err := l.operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: l.namespace})
	if err != nil {
		return enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED
	}
	return present.GetCustomAttributes()[name]
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
