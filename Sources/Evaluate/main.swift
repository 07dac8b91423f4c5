EvaluateCommand.start()
