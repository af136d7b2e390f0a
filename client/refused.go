package client

import (
	"cmp"
	"errors"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc/codes"

	"segue/contract"
	"segue/interaction"
)

// refusedBy returns the refusal that an application error of the interaction is.
func refusedBy(err *temporal.ApplicationError) *RefusedError {
	refused := &RefusedError{Type: cmp.Or(err.Type(), contract.ErrorInvalidPayload), Message: err.Message()}
	if err.HasDetails() && err.Details(&refused.Refusal) == nil && refused.Why != "" {
		return refused
	}
	refused.Refusal = contract.Refusal{Why: usualWhy(err.Type())}
	if err.Type() == "" { // the SDK refuses an update whose name is no command
		refused.Why = interaction.WhyUnknown
	}
	return refused
}

// usualWhy returns the usual reason of a refusal: workers of an older version give none.
func usualWhy(kind string) interaction.Why {
	switch kind {
	case contract.ErrorIllegalCommand:
		return interaction.WhyState
	case contract.ErrorInvalidPayload:
		return interaction.WhyInvalid
	}
	return ""
}

// Malformed returns the refusal of a message that interaction.Decode or interaction.DecodeStart
// cannot read, as the interaction itself would refuse it. Other errors are returned as they are.
func Malformed(err error) error {
	refusal, isRefusal := contract.RefusalOf(err)
	if !isRefusal {
		return err
	}
	return &RefusedError{Type: contract.ErrorInvalidPayload, Message: err.Error(), Refusal: refusal}
}

func isOverloaded(err error) bool {
	var refused *temporal.ApplicationError
	return errors.As(err, &refused) && refused.Type() == contract.ErrorOverloaded || isFullRun(err)
}

// isFullRun reports whether the interaction's run has had as many updates as Temporal takes, and is
// about to continue as new: an attempt in flight may delay that. Temporal has no error type for it.
func isFullRun(err error) bool {
	status := serviceerror.ToStatus(err)
	return status.Code() == codes.FailedPrecondition && strings.Contains(status.Message(), "total number of distinct updates")
}
