module wagate.dev/src

go 1.26.0

require (
	go.mau.fi/libsignal v0.2.2
	go.mau.fi/util v0.10.1-0.20260820140024-eb612d936fde
	go.mau.fi/whatsmeow v0.0.0-20260821141805-33cfac511629
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
	wagate.dev/gen/go v0.0.0
)

replace wagate.dev/gen/go => ../gen/go
