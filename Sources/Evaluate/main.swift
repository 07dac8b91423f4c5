import Programs
EvaluateCommand.start()
