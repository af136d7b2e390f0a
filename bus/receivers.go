package bus

// receiversSubject carries what each worker knows of its receivers.
const receiversSubject = "segue.receivers"
