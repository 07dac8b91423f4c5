import Testing

@testable import Train
